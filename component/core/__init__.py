"""The rules, pure: no event loop, no SQL, no stream, no clock, no logging; time is an argument."""

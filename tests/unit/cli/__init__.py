"""The command line, against a real control socket."""

"""The ways of writing the employees' rosters on the server: ejabberd's HTTP API, and the choice of a way."""

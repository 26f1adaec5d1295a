"""The demo: a working day of simulated panels beside a real ejabberd."""

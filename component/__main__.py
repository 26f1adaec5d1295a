"""`python -m component` is the command `panel-presence`."""

from component.cli import main

if __name__ == "__main__":
    main()

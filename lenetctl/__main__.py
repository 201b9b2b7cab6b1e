"""The console script, and `python -m lenetctl`, where that is not on the path."""


def main() -> None:
    """Run the command line."""
    # imported here: each process that a command starts imports this file once more
    from lenetctl.cli.app import main

    main()


if __name__ == "__main__":
    main()

"""The console script, and `python -m lenetctl`, where that is not on the path."""


def main() -> None:
    """Run the command line."""
    from lenetctl.cli.app import main  # noqa: PLC0415  each process of ours imports this file anew

    main()


if __name__ == "__main__":
    main()

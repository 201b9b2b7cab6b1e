"""`python -m lenetctl`, where the console script is not on the path."""

from lenetctl.cli.app import main

main()

from helpers.run_fixtures import digits, elsewhere, finished, validated  # noqa: F401

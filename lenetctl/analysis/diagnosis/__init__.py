"""Why a net will not learn, or has not."""

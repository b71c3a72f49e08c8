"""ONE submission: from an upload to results.json. Knows the sandbox, and nothing of classes or releases."""

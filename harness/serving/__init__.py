"""Services shared by many searches: requests gathered into batches, and HTTP."""

"""Declarations that others have compiled or exported, judged again by the project's own kernel."""

"""Every word that the lab says about a result."""

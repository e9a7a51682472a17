"""The site: its sources gathered, npm packages fetched once, and Sphinx's additions."""

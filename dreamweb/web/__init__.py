"""The pages: each parses, calls one function, renders; one module for each noun."""

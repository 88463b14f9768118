"""The no-Docker stack: its data folder, environment, parts, supervision and the checks that all is well."""

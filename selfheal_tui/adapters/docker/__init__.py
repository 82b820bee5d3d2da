"""The Docker engine behind the sandbox port: the one place that imports `docker`."""

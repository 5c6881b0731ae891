"""The VideoMaMa server: jobs, cache, engines and the `videomama` command."""

"""Where VideoMaMa computes, and how a job is planned to fit into memory."""

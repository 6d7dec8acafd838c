"""Files that clients send: taken in within limits, read by a child process, kept for their job."""

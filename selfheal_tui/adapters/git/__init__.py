"""The user's repository, touched by plumbing only, and the session's private shadow of it."""

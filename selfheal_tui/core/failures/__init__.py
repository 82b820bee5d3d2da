"""Readers of runners' reports, one file each; `read` is the front.

They name failing tests and refuse to judge: the exit code is the verdict. On any text they end
in linear time and never raise.
"""

@node "%~dp0orrery" %*

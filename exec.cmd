@rem npm scripts say "exec" so that on Unix no shell stands between npm and the program it signals. Here it means nothing.
@%*

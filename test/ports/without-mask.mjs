// Runs the module that the first argument names with the file mode mask 000.
process.umask(0)
process.argv.splice(1, 1)
await import(String(process.argv[1]))

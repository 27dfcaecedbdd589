/** A worker process for the supervisor's tests: says that it is ready, then does as its first argument says. */
const behaviour = process.argv[2];

if (behaviour === 'die-at-once') process.exit(9);
process.send?.('ready');
process.send?.(`pid ${process.pid}`);
if (behaviour === 'abort') process.abort();
if (behaviour === 'deaf') process.on('SIGTERM', () => {});
setInterval(() => {}, 1000);

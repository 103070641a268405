import { parentPort, workerData } from 'node:worker_threads';

// A worker that behaves as it is told, for the tests of the pool.
if (workerData === 'throw at start') throw new Error('no luck');
if (workerData === 'exit at start') process.exit(3);
if (workerData !== 'never ready') parentPort.postMessage({ type: 'ready' });
parentPort.on('message', (question) => {
  if (question === 'throw') throw new Error('struck');
  if (question === 'exit') process.exit(7);
  if (question === 'fail') parentPort.postMessage({ type: 'failed', reason: 'not this one' });
  else if (question !== 'silence')
    parentPort.postMessage({ type: 'answer', answer: question * 2, span: { startMs: 1, endMs: 2 } });
});

/** A process of bench:pays: a net's training step with parts left out, or its text alone. Asked by messages of the parent. */
import { createHash } from 'node:crypto';
import { register } from 'node:module';
import { STEP_PARTS } from './pays-parts.ts';

const [net, part, threads, file] = process.argv.slice(2) as [string, string, string, string?];
register(new URL('./pays-swap.js', import.meta.url), { data: STEP_PARTS[part] ?? [] });
const { netOf } = await import('./nets.ts');
const { benchStep } = await import('./program.ts');
const { createOnnxRuntimeEngine } = await import('../src/runtime/onnxruntime/engine.ts');
const { watchStages } = await import('../src/graph/stages.ts');

const hash = createHash('sha256');
let nodes = 0;
watchStages((stage, text) => {
  if (stage !== 'onnx') return;
  hash.update(text);
  nodes = text.split('\n').length;
});
const { program, feedsAt } = await benchStep(net, netOf(net), netOf(net).batch, { type: 'adam' }, file);
const step = await createOnnxRuntimeEngine({ device: 'cpu', threads: Number(threads) }).compile(program);
watchStages(undefined);
let done = 0;
async function fastestOf(steps: number): Promise<{ ms: number; cpu: number }> {
  const fastest = { ms: Infinity, cpu: Infinity };
  for (let i = 0; i < steps; i++, done++) {
    const [cpu, start] = [process.cpuUsage(), performance.now()];
    await step.run(feedsAt(done), done);
    fastest.ms = Math.min(fastest.ms, performance.now() - start);
    const { user, system } = process.cpuUsage(cpu);
    fastest.cpu = Math.min(fastest.cpu, (user + system) / 1000);
  }
  return fastest;
}
process.on('message', (steps: number) => void fastestOf(steps).then((fastest) => process.send!(fastest)));
process.send!({ hash: hash.digest('hex'), nodes });

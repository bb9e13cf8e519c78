import { row } from './commands.ts';

/** `limbeck serve`. */
export const serveRow = row(
  'serve <models..>',
  'Answer requests for models: REST and gRPC of the Open Inference Protocol, batched, with metrics',
  async () => (await import('./serve.ts')).serveCommand,
);

import { row } from './commands.ts';

/** `limbeck convert`. */
export const convertRow = row(
  'convert',
  'Serve a page that converts ONNX and Keras files in the browser, or write it to a folder (--page)',
  async () => (await import('./convert.ts')).convertCommand,
);

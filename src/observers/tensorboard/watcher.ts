import type { Watcher } from '../../commands/options/watchers.ts';

/** TensorBoard's event files: `--tensorboard`. */
export const watcher: Watcher = {
  options: {
    tensorboard: {
      type: 'boolean',
      default: false,
      describe: "Write TensorBoard's event files to the folder `tensorboard` of the run",
    },
  },
  open: async ({ tensorboard = false }: { readonly tensorboard?: boolean }, tell) => {
    if (!tensorboard) return undefined;
    const { tensorboardWriter } = await import('./writer.ts');
    const onEvent = tensorboardWriter((message) => tell({ type: 'warning', message }));
    return { onEvent, close: () => Promise.resolve() };
  },
};

import type { AppFolder } from '../../commands/options/consumers.ts';

export const appFolder: AppFolder = {
  describe: 'Folder to write: opened by pipeline() of transformers.js',
  write: async (run, folder, options) => {
    const { writePipelineFolder } = await import('./folder.ts');
    const written = await writePipelineFolder(run, folder, options);
    return { written, opens: `pipeline('${written.pipeline}')` };
  },
};

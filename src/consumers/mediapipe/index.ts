import type { AppFolder } from '../../commands/options/consumers.ts';

export const appFolder: AppFolder = {
  describe: 'Folder to write: texts and pictures, opened by tasks of MediaPipe',
  write: async (run, folder, options) => {
    const { writeMediaPipeFolder } = await import('./folder.ts');
    const written = await writeMediaPipeFolder(run, folder, options);
    return { written, opens: written.task };
  },
};

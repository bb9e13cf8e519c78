import path from 'node:path';
import { targetOption } from '../../commands/options/consumers.ts';
import type { ServerFolder } from '../../commands/options/consumers.ts';

export const serverFolder: ServerFolder = {
  describe: "Folder to write: a model repository of Triton's",
  options: { device: targetOption },
  filesOf: async (model, { folder, target, precision }) => {
    const { tritonFiles } = await import('./repository.ts');
    return { folder: path.join(folder, model.name), files: tritonFiles(model, { target, precision }), skipped: [] };
  },
};

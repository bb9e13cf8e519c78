import { targetOption } from '../../commands/options/consumers.ts';
import type { ServerFolder } from '../../commands/options/consumers.ts';

export const serverFolder: ServerFolder = {
  describe: 'Folder to write: manifests for KServe, KEDA or plain Kubernetes',
  options: {
    device: targetOption,
    image: { type: 'string', describe: 'KServe: name of the image, without its tag [default: as the run]' },
  },
  filesOf: async (model, { folder, run, target, image }) => {
    const { limbeckVersion } = await import('../../base/process/packages.ts');
    const { kserveFiles } = await import('./files.ts');
    const { teacherOf } = await import('./teacher.ts');
    const teacher = await teacherOf(run, target);
    const why = 'the recipe names no ONNX file as teacher that is there';
    return {
      folder,
      files: kserveFiles(model, { target, teacher, image, limbeck: limbeckVersion() }),
      skipped: teacher === undefined ? [{ what: 'shadow.yaml', why }] : [],
    };
  },
};

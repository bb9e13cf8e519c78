import type { Command } from './options/command.ts';
import { printJson } from './context.ts';
import { textTable } from './terminal/table.ts';

interface DatasetsArgs {
  folder: string | undefined;
  verify: boolean;
}

export const datasetsCommand: Command<DatasetsArgs> = {
  options: (yargs) =>
    yargs
      .positional('folder', { type: 'string', describe: 'Folder with an index.json; default: datasets' })
      .option('verify', { type: 'boolean', default: false, describe: 'Check the files against their checksums' }),
  run: async ({ folder = 'datasets', verify }, context) => {
    const { listDatasets, verifyDataset } = await import('../data/catalog.ts');
    const { exists } = await import('../base/files.ts');
    const { UserError } = await import('../base/errors.ts');
    if (!(await exists(`${folder}/index.json`))) {
      throw new UserError(
        `${folder}: expected a folder with an index.json that describes data sets, as the repository of Limbeck has one`,
        'Name another folder. A recipe needs no such list: `limbeck init` writes one for files of your own.',
      );
    }
    const entries = await listDatasets(folder);
    // A data set without any file was never fetched: the list says so, and there is nothing to check.
    const fetched = entries.filter(({ missing, files }) => missing.length < files.length);
    const problems = verify ? (await Promise.all(fetched.map(verifyDataset))).flat() : [];
    if (context.json) {
      printJson(context, verify ? { datasets: entries, problems } : entries);
    } else {
      const rows = entries.map((entry) => [
        entry.name,
        String(entry.splits['train'] ?? 0),
        String(entry.splits['test'] ?? 0),
        String(entry.classNames.length),
        entry.sampleShape.join('x'),
        entry.available ? `${(entry.bytesOnDisk / 1e6).toFixed(1)} MB` : 'not here',
        entry.license,
        entry.available ? entry.summary : `${entry.summary} (see ${entry.readme})`,
      ]);
      context.out(
        textTable([['name', 'train', 'test', 'classes', 'sample', 'on disk', 'licence', ''], ...rows], context),
      );
    }
    if (problems.length > 0) {
      throw new UserError(
        problems.join('\n'),
        'Restore the files from the repository, or get them again as their README says.',
      );
    }
    if (verify && !context.json) context.out('all files that are here are right\n');
  },
};

import { UserError } from '../../base/errors.ts';
import type { ObserverFlags } from '../../serve/observers.ts';
import type { ShadowOptions } from './shadow.ts';

interface ShadowArgs {
  readonly shadow?: string;
  readonly share?: number;
  readonly keep?: string;
  readonly 'keep-most'?: number;
}

export const flags: ObserverFlags = {
  options: {
    shadow: { type: 'string', describe: 'Teacher that answers a share of the requests too: file.onnx' },
    share: { type: 'number', default: 0.01, describe: 'Share of the requests that the shadow answers too' },
    keep: { type: 'string', describe: 'Folder for samples on which the shadow disagrees' },
    'keep-most': { type: 'number', default: 256, describe: 'Most MiB in that folder' },
  },
  settings: ({ shadow, share = 0.01, keep, 'keep-most': most = 256 }: ShadowArgs): ShadowOptions | undefined => {
    if (!(share > 0 && share <= 1))
      throw new UserError(`--share: expected a share above 0, at most 1, received ${share}`, 'Correct --share.');
    if (!(most > 0)) throw new UserError(`--keep-most: expected MiB > 0, received ${most}`, 'Correct --keep-most.');
    if (keep !== undefined && shadow === undefined)
      throw new UserError(
        'serve: --keep without --shadow',
        'Add --shadow TEACHER.onnx: --keep keeps the samples on which that disagrees.',
      );
    if (shadow === undefined) return undefined;
    return { teacher: shadow, share, ...(keep !== undefined && { keep: { folder: keep, mostBytes: most * 2 ** 20 } }) };
  },
};

import { UserError } from '../../base/errors.ts';
import type { Reading } from './registry.ts';

/** The source itself; `UserError` if it lacks a file of labels that is read, or has one that is not. */
export function requireLabelFile<S extends object>(
  source: S,
  { part, withoutLabels = false }: Pick<Reading, 'part' | 'withoutLabels'>,
): S {
  const { labels } = source as { labels?: string };
  if (withoutLabels && labels !== undefined)
    throw new UserError(
      `${part}.labels: not read ${part === 'unlabelled' ? 'of samples without labels' : 'with `labelled: 0`'}, received ${labels}`,
      'Leave it out.',
    );
  if (withoutLabels || labels !== undefined || 'file' in source) return source;
  throw new UserError(
    `${part}.labels: expected a file of labels, received none`,
    'Name it; samples without labels stand under `unlabelled`, and with `labelled: 0` no split needs labels.',
  );
}

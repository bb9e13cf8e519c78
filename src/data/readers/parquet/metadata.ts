import type { FileMetaData } from 'hyparquet';

/** Class names from Hugging Face's feature types, which are stored as JSON beside the schema. */
export function huggingFaceNames(metadata: FileMetaData, label: string): readonly string[] | undefined {
  const parsed = jsonOf(metadata, 'huggingface') as { info?: { features?: Record<string, { names?: unknown }> } };
  const names = parsed.info?.features?.[label]?.names;
  return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : undefined;
}

/** Columns that hold the index of a pandas table: pandas adds them in writing and removes them in reading. */
export function pandasIndexes(metadata: FileMetaData): ReadonlySet<string> {
  const { index_columns: columns } = jsonOf(metadata, 'pandas') as { index_columns?: unknown };
  const names: unknown[] = Array.isArray(columns) ? columns : [];
  return new Set(names.filter((name) => typeof name === 'string'));
}

function jsonOf({ key_value_metadata }: FileMetaData, name: string): object {
  try {
    const value: unknown = JSON.parse(key_value_metadata?.find(({ key }) => key === name)?.value ?? '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

import { appendFileSync } from 'node:fs';

/** Hook of Node's module loader: appends the importer and the file of each import to the file that the environment variable LIMBECK_LOADED names. */
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  appendFileSync(process.env.LIMBECK_LOADED, `${context.parentURL ?? ''}\t${found.url}\n`);
  return found;
}

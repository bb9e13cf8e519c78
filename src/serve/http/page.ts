import { Registry, Slot } from '../../base/registry.ts';

/** A file of a page. */
export interface PageFile {
  readonly headers: Readonly<Record<string, string>>;
  readonly content: string | Uint8Array;
}

/** Pages of the server, which `src/features.ts` names. */
export const serverPages = new Registry<{ readonly name: string }>('page of the server');

/** The file at an address without its first slash, of the page of a server; undefined if there is none. */
export type PageAsset = (place: string, of: 'serve') => Promise<PageFile | undefined>;

const ASSETS = new Slot<PageAsset>(serverPages, 'pageAsset', 'files');

/** The file of a page of the server at an address; undefined if no page has one there. */
export async function pageFile(place: string): Promise<PageFile | undefined> {
  for (const name of ASSETS.names()) {
    const found = await (await ASSETS.load(name))(place, 'serve');
    if (found !== undefined) return found;
  }
  return undefined;
}

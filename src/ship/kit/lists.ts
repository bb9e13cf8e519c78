import { Registry, Slot } from '../../base/registry.ts';

/** Parts of the list of features that kits alone load: platforms, and what forms of answers have for them. */
export const kitLists = new Registry<{ readonly name: string }>('list of kits');

const KIT_LIST = new Slot<unknown>(kitLists, 'kitList', 'list');

export const loadKitList = (): Promise<void> => KIT_LIST.loadAll();

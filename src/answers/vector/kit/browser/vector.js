// == SHARES ==
// __SEARCH__

// == SHOW ==
/** Vectors that samples are searched among, by their names: of files, of the pictures of a folder, and of the samples so far. */
const known = [];
const alike = (vector) => {
  const found = nearest(
    vector,
    known.map((one) => one.vector),
    3,
  );
  return found.map(([place, cosine]) => ({ ...known[place], cosine }));
};
const said = (vector) => {
  const found = alike(vector).map(({ name, cosine }) => name + ' (' + cosine.toFixed(3) + ')');
  return found.length === 0 ? vector.length + ' numbers' : 'most alike: ' + found.join(', ');
};
const show = async (raw, expected) => {
  const vector = Array.from(await classify(raw));
  const differs = expected !== undefined && expected.some((value, i) => Math.abs(value - vector[i]) > 1e-3);
  const item = document.createElement('li');
  item.append(said(vector) + (differs ? '; not what example.json holds' : ''));
  for (const { name, address } of alike(vector))
    if (address !== undefined) item.append(' ', Object.assign(document.createElement('img'), { src: address, alt: name, height: 48 }));
  known.push({ name: 'sample ' + (list.children.length + 1), vector });
  list.append(item);
  return { vector, differs };
};
const added = document.querySelector('#added');
/** Adds the vectors that `read` finds in each chosen file; the page names a file that cannot be read, with the reason. */
const adds = (chooser, read) => {
  chooser.onchange = async () => {
    const [before, wrong] = [known.length, []];
    for (const file of chooser.files) {
      try {
        for (const one of await read(file)) known.push(one);
      } catch (error) {
        wrong.push(file.name + ': ' + error.message);
      }
      added.value = [known.length - before + ' vectors of ' + chooser.files.length + ' files', ...wrong].join('; ');
    }
  };
};
adds(document.querySelector('input[accept=".npy"]'), async (file) =>
  vectorsIn(new Uint8Array(await file.arrayBuffer()), output.numbers).map((vector, i) => ({ name: file.name + ' ' + (i + 1), vector })),
);

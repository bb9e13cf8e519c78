// == NAMES ==
const labels = (await (await load('labels.txt')).text()).replace(/\n$/, '').split('\n');

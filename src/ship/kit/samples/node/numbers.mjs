// == PREPARE ==
// __NORMALIZE__

// == TAKE ==
const { raw } = sample;

/** Classes of apps, whose parts are in the folder of each language. */
export const APP = {
  pictures: {
    NAME: 'PointFinder',
    DOC: 'Points of a thing in pictures, with their names and scores, also drawn over them.',
  },
};

/** What readers of packed data throw where it is none: whoever opened it says which file is damaged, or that the password is another one. */

/** The data cannot be what was packed. */
export class Damage extends Error {}

/** Imports a package as from this folder, whose own packages come first. */
export const importHere = (name) => import(name)

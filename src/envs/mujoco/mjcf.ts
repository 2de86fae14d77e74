/** What an attribute of an element of MJCF may be: a list is written with spaces. */
type Value = string | number | readonly number[]
export type Attributes = Readonly<Record<string, Value>>

/** One element of MJCF, MuJoCo's XML. Numbers are written so that they read back as the same float64. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${[value].flat().join(' ')}"`)
  return `<${name}${written.join('')}>${children.join('')}</${name}>`
}

/**
 * A model: everything outside the tree of bodies, the floor and the robot, and its motors.
 *
 * The memory is where MuJoCo keeps the contacts of a moment. Left to itself it takes 6 to 14 MB for each environment;
 * these robots need 80 KB when every part of them touches the floor.
 */
export function model(
  head: { option: Attributes; compiler?: Attributes },
  floor: string,
  robot: string,
  motors: readonly string[],
  more = '',
): string {
  return element(
    'mujoco',
    {},
    element('compiler', { inertiafromgeom: 'true', ...head.compiler }),
    element('option', head.option),
    element('size', { memory: '256K' }),
    element('worldbody', {}, floor, robot),
    more,
    element('actuator', {}, ...motors),
  )
}

export const body = (name: string, pos: readonly number[], ...children: readonly string[]) =>
  element('body', { name, pos }, ...children)

export const plane = (attributes: Attributes) => element('geom', { type: 'plane', size: [40, 40, 40], ...attributes })
export const capsule = (attributes: Attributes) => element('geom', { type: 'capsule', ...attributes })
export const hinge = (attributes: Attributes) => element('joint', { type: 'hinge', ...attributes })
export const slide = (attributes: Attributes) => element('joint', { type: 'slide', ...attributes })

/** Torque, or force, on a joint: gear times an action within its range. */
export const motor = (joint: string, gear: number, ctrlrange: readonly number[] = [-1, 1]) =>
  element('motor', { joint, gear, ctrlrange })

/**
 * Moves a robot in the plane y = 0: along x, up z, and about y. At rest rootz reads `height`, where the robot then is.
 */
export function planarRoot(height = 0, attributes: Attributes = {}): string {
  const pos = [0, 0, -height]
  return [
    slide({ name: 'rootx', axis: [1, 0, 0], pos, ...attributes }),
    slide({ name: 'rootz', axis: [0, 0, 1], pos, ref: height, ...attributes }),
    hinge({ name: 'rooty', axis: [0, 1, 0], ...attributes }),
  ].join('')
}

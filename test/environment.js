import vm from 'node:vm'
import { TestEnvironment } from 'jest-environment-node'

/**
 * jest's Node environment in a context whose global object is an ordinary one. In a contextified object every use of a
 * global such as Math or Float32Array goes through an interceptor, which makes tfjs two to three times slower. Where
 * Node has no such contexts (before 20.18) it is jest's own.
 */
export default class extends TestEnvironment {
  constructor(...given) {
    const { createContext, constants } = vm
    if (constants?.DONT_CONTEXTIFY) vm.createContext = () => createContext(constants.DONT_CONTEXTIFY)
    try {
      super(...given)
    } finally {
      vm.createContext = createContext
    }
  }
}

import { describe, expect, test } from '@jest/globals'
import { datasetFromCsv, datasetFromJson } from '../../src/bayes/dataset.ts'

describe('a CSV file', () => {
  test('gives its columns as numbers, by name', () => {
    const data = datasetFromCsv('school,effect,"error, of it"\r\nA,28,15\r\nB,-0.5,1e1\r\n\r\n', 'schools.csv')
    expect(data.effect).toEqual([28, -0.5])
    expect(data['error, of it']).toEqual([15, 10])
  })

  test('has text in columns that nobody asks for, and says which row of a column is no number', () => {
    const data = datasetFromCsv('school,effect\nA,28\nB,\nC,NaN\n', 'schools.csv')
    expect(() => data.effect).toThrow('Row 2 of effect in schools.csv is ""; it must be a finite number.')
    expect(() => data.school).toThrow('Row 1 of school in schools.csv is "A"; it must be a finite number.')
  })

  test.each(['NaN', 'Infinity', '-inf', '1.5x', '  '])('refuses the value %j', (value) => {
    const data = datasetFromCsv(`a,b\n1,2\n3,${value}\n`, 'data.csv')
    expect(data.a).toEqual([1, 3])
    expect(() => data.b).toThrow(`Row 2 of b in data.csv is ${JSON.stringify(value)}; it must be a finite number.`)
  })

  test('without the column that a model asks for names the nearest, or all', () => {
    const data = datasetFromCsv('effect,error\n1,2\n', 'schools.csv')
    expect(() => data.efect).toThrow('schools.csv has no efect; did you mean effect?')
    expect(() => data.height).toThrow('schools.csv has no height; it has effect, error.')
  })

  test('with two columns of one name refuses that name', () => {
    const data = datasetFromCsv('a,b,a\n1,2,3\n', 'data.csv')
    expect(data.b).toEqual([2])
    expect(() => data.a).toThrow('data.csv has two columns named a.')
  })

  test('without rows, with a quote that does not end, or in another encoding, is refused', () => {
    expect(() => datasetFromCsv('a,b\n', 'data.csv')).toThrow('data.csv has no rows below its head.')
    expect(() => datasetFromCsv('a,b\n1,2\n"3,4\n', 'data.csv')).toThrow(
      'data.csv has a quote in row 2 that does not end.',
    )
    const utf16 = Buffer.from('\ufeffa,b\n1,2\n', 'utf16le').toString('utf8')
    expect(() => datasetFromCsv(utf16, 'data.csv')).toThrow('data.csv is no text in UTF-8')
  })

  test('may have blanks about its names, a mark of its encoding, and any line ends', () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const data = datasetFromCsv(`\ufeffschool, effect ${end}"A, the first", 28${end}`, 'schools.csv')
      expect(data.effect).toEqual([28])
    }
  })

  test('with rows of another length, or nothing at all, is refused', () => {
    expect(() => datasetFromCsv('a,b\n1,2\n3\n', 'data.csv')).toThrow(
      'Row 2 of data.csv has 1 values, and its head has 2.',
    )
    expect(() => datasetFromCsv('', 'data.csv')).toThrow('data.csv is empty')
  })
})

describe('a JSON file', () => {
  test('gives what stands under a name', () => {
    const data = datasetFromJson('{ "y": [1, 2], "K": 5, "X": [[1, 2], [3, 4]] }', 'data.json')
    expect([data.y, data.K, data.X]).toEqual([
      [1, 2],
      5,
      [
        [1, 2],
        [3, 4],
      ],
    ])
  })

  test('names the row of a value that is missing, also within rows', () => {
    const data = datasetFromJson('{ "y": [1, null, 3], "X": [[1, 2], [3, null]], "big": [1e999] }', 'data.json')
    expect(() => data.y).toThrow('Row 2 of y in data.json is null; it must be a finite number.')
    expect(() => data.X).toThrow('Row 2 of X in data.json is [3,null]; it must hold finite numbers.')
    expect(() => data.big).toThrow('Row 1 of big in data.json is Infinity; it must be a finite number.')
    expect(() => data.x).toThrow('data.json has no x; did you mean X?')
  })

  test.each([
    ['[1, 2]', 'data.json must hold an object of columns by name, as'],
    ['{ "y": [1, NaN] }', 'data.json is no JSON: '],
  ])('that holds %s is refused', (text, message) => {
    expect(() => datasetFromJson(text, 'data.json')).toThrow(message)
  })
})

test('numbers that a JSON file holds as text are numbers, other text is not', () => {
  const data = datasetFromJson('{"y":["28"," -1.5"],"mixed":["1",2],"name":["A","1"],"none":[]}', 'd.json')
  expect(data.y).toEqual([28, -1.5])
  expect(data.mixed).toEqual(['1', 2])
  expect(data.name).toEqual(['A', '1'])
  expect(data.none).toEqual([])
  expect(() => datasetFromJson('[{"y":1}]', 'd.json')).toThrow('d.json must hold an object of columns by name, as')
})

/** What to do when something is lost: the way on for each misfortune, before it happens. */
import { Table } from '@mantine/core';
import { Link } from 'wouter';
import { Panel } from '../../components/parts.tsx';
import { useSpeech } from '../../i18n/speech.tsx';

const CASES = [
  { name: 'file', to: '/restore' },
  { name: 'computer', to: '#kit' },
  { name: 'disk', to: '/destinations' },
  { name: 'ransom', to: '/restore' },
  { name: 'password', to: '#kit' },
] as const;

export function WhatIf() {
  const { say } = useSpeech();
  return (
    <Panel title={say('recovery.what-if')}>
      <div className="hf-scroll">
        <Table verticalSpacing="md" className="hf-what-if">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{say('recovery.what-if.when')}</Table.Th>
              <Table.Th>{say('recovery.what-if.do')}</Table.Th>
              <Table.Th>{say('recovery.what-if.way')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {CASES.map(({ name, to }) => (
              <Table.Tr key={name}>
                <Table.Th scope="row">{say(`recovery.what-if.${name}`)}</Table.Th>
                <Table.Td>{say(`recovery.what-if.${name}.text`)}</Table.Td>
                <Table.Td>
                  {to.startsWith('#') ? (
                    <a href={`/recovery${to}`}>{say(`recovery.what-if.${name}.way`)}</a>
                  ) : (
                    <Link href={to}>{say(`recovery.what-if.${name}.way`)}</Link>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </Panel>
  );
}

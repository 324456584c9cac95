/** Tries out a place while the person still looks at it, so that nothing fails at the end that could be known before. */
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { isAbsolute } from '../../components/paths.ts';
import { useLink } from '../../data/host.tsx';
import type { PlaceState } from './draft.ts';

const PAUSE = 350;

/** `location` undefined: a destination that is known already. */
export function usePlaceTest(
  location: string | undefined,
  password: string,
): PlaceState & { readonly error: unknown } {
  const link = useLink();
  const [place] = useDebouncedValue(location, PAUSE);
  const [words] = useDebouncedValue(password, PAUSE);
  const test = useQuery({
    queryKey: ['place-test', place],
    queryFn: ({ signal }) => link.client.destinations.test({ location: place ?? '' }, { signal }),
    enabled: place !== undefined && isAbsolute(place),
    staleTime: 0,
    gcTime: 0,
  });
  const asksPassword = test.data?.repository === true && words !== '';
  const opening = useQuery({
    queryKey: ['place-test', place, words],
    queryFn: ({ signal }) =>
      link.client.destinations.test({ location: place ?? '', password: words }, { signal }),
    enabled: asksPassword,
    staleTime: 0,
    gcTime: 0,
  });
  const settling = place !== location || (test.data?.repository === true && words !== password);
  return {
    location,
    password,
    isTesting: location !== undefined && (settling || test.isFetching || opening.isFetching),
    test: place === location ? test.data : undefined,
    opening: asksPassword ? opening.data : undefined,
    failed: test.isError || opening.isError,
    error: test.error ?? opening.error,
  };
}

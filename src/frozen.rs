//! How plain data is kept in the program's image and read back cheaply.
//!
//! Columns of numbers are bytes, not one number after the other; entries that are seldom asked for
//! are read one by one.

use std::borrow::Cow;
use std::ops::Range;

use once_cell::sync::OnceCell;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number of a column.
pub(crate) trait Word: Copy {
    const SIZE: usize;
    fn put(self, out: &mut Vec<u8>);
    fn get(bytes: &[u8]) -> Self;
}

macro_rules! words {
    ($($name:ty),*) => {$(
        impl Word for $name {
            const SIZE: usize = size_of::<$name>();
            fn put(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
            fn get(bytes: &[u8]) -> Self {
                <$name>::from_le_bytes(bytes.try_into().expect("as many bytes as it has"))
            }
        }
    )*};
}

words!(u8, u16, u32, u64);

/// A column of numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column<W>(Vec<W>);

impl<W> Default for Column<W> {
    fn default() -> Self {
        Column(Vec::new())
    }
}

impl<W> std::ops::Deref for Column<W> {
    type Target = Vec<W>;
    fn deref(&self) -> &Vec<W> {
        &self.0
    }
}

impl<W> std::ops::DerefMut for Column<W> {
    fn deref_mut(&mut self) -> &mut Vec<W> {
        &mut self.0
    }
}

impl<W> From<Vec<W>> for Column<W> {
    fn from(list: Vec<W>) -> Self {
        Column(list)
    }
}

impl<W: Word> Serialize for Column<W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(self.0.len() * W::SIZE);
        self.0.iter().for_each(|word| word.put(&mut bytes));
        serializer.serialize_bytes(&bytes)
    }
}

impl<'de, W: Word> Deserialize<'de> for Column<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = <&'de [u8]>::deserialize(deserializer)?;
        Ok(Column(bytes.chunks_exact(W::SIZE).map(W::get).collect()))
    }
}

/// Where an entry stands among entries of which the ends are known.
fn span(ends: &[u32], index: usize) -> Range<usize> {
    let start = index.checked_sub(1).map_or(0, |before| ends[before] as usize);
    start..ends[index] as usize
}

/// Many short lists in one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Lists<W: Word> {
    ends: Column<u32>,
    items: Column<W>,
}

impl<W: Word> Default for Lists<W> {
    fn default() -> Self {
        Lists { ends: Column::default(), items: Column::default() }
    }
}

impl<W: Word> Lists<W> {
    pub(crate) fn push(&mut self, list: impl IntoIterator<Item = W>) {
        self.items.extend(list);
        self.ends.push(self.items.len() as u32);
    }

    pub(crate) fn get(&self, index: usize) -> &[W] {
        &self.items[span(&self.ends, index)]
    }
}

impl<W: Word, L: IntoIterator<Item = W>> FromIterator<L> for Lists<W> {
    fn from_iter<I: IntoIterator<Item = L>>(lists: I) -> Self {
        let mut all = Lists::default();
        lists.into_iter().for_each(|list| all.push(list));
        all
    }
}

/// Many short strings of bytes in one; those of a pack stay where they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Strings {
    ends: Column<u32>,
    #[serde(serialize_with = "as_bytes")]
    bytes: Cow<'static, [u8]>,
}

fn as_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

impl<'de: 'static> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (ends, bytes) = <(Column<u32>, &'static [u8])>::deserialize(deserializer)?;
        Ok(Strings { ends, bytes: Cow::Borrowed(bytes) })
    }
}

impl Strings {
    pub(crate) fn push(&mut self, string: &[u8]) {
        self.bytes.to_mut().extend_from_slice(string);
        self.ends.push(self.bytes.len() as u32);
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, index: usize) -> &[u8] {
        &self.bytes[span(&self.ends, index)]
    }

    /// Bytes of heap.
    pub(crate) fn memory_usage(&self) -> usize {
        let owned = if let Cow::Owned(bytes) = &self.bytes { bytes.len() } else { 0 };
        self.ends.len() * 4 + owned
    }
}

/// Entries that are read when somebody asks for them.
#[derive(Debug)]
pub(crate) struct Lazy<T> {
    cells: Vec<OnceCell<Box<T>>>,
    /// Where those stand that were not asked for yet.
    frozen: &'static [u8],
    ends: Column<u32>,
}

impl<T> Default for Lazy<T> {
    fn default() -> Self {
        Lazy { cells: Vec::new(), frozen: &[], ends: Column::default() }
    }
}

impl<T> From<Vec<T>> for Lazy<T> {
    fn from(list: Vec<T>) -> Self {
        let cells = list.into_iter().map(|entry| OnceCell::with_value(Box::new(entry))).collect();
        Lazy { cells, frozen: &[], ends: Column::default() }
    }
}

impl<T: DeserializeOwned> Lazy<T> {
    /// The entries of `frozen`, as [`freeze`](Self::freeze) wrote them.
    pub(crate) fn thaw(frozen: &'static [u8], ends: Column<u32>) -> Lazy<T> {
        let cells = std::iter::repeat_with(OnceCell::new).take(ends.len()).collect();
        Lazy { cells, frozen, ends }
    }

    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    pub(crate) fn get(&self, index: usize) -> &T {
        self.cells[index].get_or_init(|| {
            let bytes = &self.frozen[span(&self.ends, index)];
            Box::new(postcard::from_bytes(bytes).expect("build.rs wrote this entry"))
        })
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &T> {
        (0..self.cells.len()).map(|index| self.get(index))
    }
}

impl<T: DeserializeOwned + Serialize> Lazy<T> {
    /// All entries, one behind the other, and where each ends.
    pub(crate) fn freeze(&self) -> (Vec<u8>, Column<u32>) {
        let (mut bytes, mut ends) = (Vec::new(), Column::default());
        for entry in self.iter() {
            bytes.extend(postcard::to_stdvec(entry).expect("plain data"));
            ends.push(bytes.len() as u32);
        }
        (bytes, ends)
    }
}
